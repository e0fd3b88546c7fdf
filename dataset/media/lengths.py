"""How long a clip is: ten frames and ten seconds of sound, as in Ref-AVSBench."""

NUM_FRAMES = 10
CLIP_SECONDS = 10
