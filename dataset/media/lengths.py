"""How long a clip is: ten frames and ten seconds of sound, as in Ref-AVSBench."""

NUM_FRAMES = 10
CLIP_SECONDS = 10
SLACK = 0.1  # a clip of 9.9 to 10.1 s counts as one of ten seconds
