"""A small drawn world: textured moving objects that make sounds, and referring expressions with known ground truth.

- silhouettes: object categories, seen and unseen, and their outlines
- looks: colours, textures (materials) and sizes of a scene's objects
- motions: how objects move
- sounds: what objects sound like, and the waveform of a scene
- scenes: objects laid out around the key frame, and what is true of them
- free_scenes: scenes for pretraining, which are never scenes of a benchmark
- phrases: wordings of referring expressions
- reference: properties that are true of exactly one object of a scene
- render: a scene -> ten frames and the masks of its objects
- world: a seed -> the videos of every split, with their referring expressions
- descriptions: captions of a scene, for pretraining
- patch_labels: what each patch of a picture shows, for training the mini vision encoder

Colour, shape, position and size can be seen in the key frame. Motions are drawn after the key frame is laid out, so the
key frame does not show how an object moves. Sounds are drawn last, after everything that can be seen. The only link
between an object and its sound is its texture: each texture has its own timbre, whatever the object's category.
"""
