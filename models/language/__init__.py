"""A language model that also reads pictures and sound.

- multimodal: encoders and projectors for placeholder tokens, and the loss over answers
- projector: Q-Former projector, one class for images and for sound
- captioner: pretraining of one projector on captions
- config: what such a model is made of (config.json)
- audio_visual: images and sounds in one batch; the loss, and answers one by one
- tokenizer_files: the tokenizer in a model's folder
- attention: who sees whom where several masks share a prompt
"""
