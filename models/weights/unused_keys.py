"""Keys of foreign files that are known to be unused, with the reason; any other key is used, or refused by name.

Patterns for `search`, over the key as it stands in the file. Which file is read with which pattern is its reader's
business.
"""

import re

# Released projectors: their Q-Former carries BERT's text half, which no forward pass reaches.
UNUSED_PROJECTOR_KEYS = re.compile(
    r"Qformer\.(cls\.|bert\.embeddings\.(word_embeddings|position_embeddings|position_ids)"
    r"|bert\.encoder\.layer\.\d+\.(intermediate|output)\.)"
)
# A *_pretrain.bin may carry the embedding of its own training; the LLM folder's one is used.
UNUSED_PRETRAIN_KEYS = re.compile(r"^model\.embed_tokens\.weight$")
# Language models saved by old transformers: buffers that are recomputed from the config.
RECOMPUTED_LLM_KEYS = re.compile(r"\.rotary_emb\.inv_freq$")
# BEATs: the fine-tuned checkpoints' AudioSet classifier; features are taken before it.
UNUSED_BEATS_KEYS = re.compile(r"^predictor\.(weight|bias)$")
# CLIP folders: the text tower, both projections and the scale compare images with texts; old files hold position
# buffers, which are recomputed.
UNUSED_CLIP_KEYS = re.compile(
    r"^(text_model\.|text_projection\.|visual_projection\.|logit_scale$|(.+\.)?position_ids$)"
)
# open_clip checkpoints: the text tower under its two layouts, and the scales of comparing images with texts.
UNUSED_OPEN_CLIP_KEYS = re.compile(
    r"^(transformer\.|token_embedding\.|positional_embedding$|ln_final\.|text_projection$|attn_mask$|text\."
    r"|logit_(scale|bias)$)"
)
# timm checkpoints: the classifier; features are taken before it.
UNUSED_TIMM_KEYS = re.compile(r"^head\.")
