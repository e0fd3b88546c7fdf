"""A small procedural world: textured moving objects that make sounds, and expressions of which ground truth is known.

- silhouettes: the categories, seen and unseen, and their outlines
- looks: colours, textures (materials) and sizes of a scene's objects
- motions: how objects move, and how a scene's motions are shared out
- sounds: what objects sound like, and the waveform of a scene
- scenes: objects laid out around the key frame; facts of a scene
- phrases: kinds, facets and wordings of referring expressions
- reference: which object of a scene is the only one that a facet is true of
- render: a scene -> ten frames and the masks of its objects
- world: a seed -> the videos of every split, with their referring expressions

Colour or shape, position and size can be seen in the key frame. Motion is dealt out after the key frame is laid out, so
that it says nothing about who moves how; sound is dealt out after everything that can be seen. What ties a sound to its
object is the material: each texture has its own timbre, whoever wears it.
"""
