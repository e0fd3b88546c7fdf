"""Features of the frozen encoders, computed once for many epochs or runs.

- store: all media of a dataset -> features, in memory or in a folder
- folder: files of features, which several runs may share
- names: digests that name an encoder with its settings, and a picture or sound
"""
