"""The published sizes of GroundingDINO, SAM2.1, SAM3 and CLIPSeg on the meta device: shapes without memory."""

import pytest
import torch
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    Sam2Config,
    Sam2Model,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam3Config,
    Sam3Model,
    SwinConfig,
)

LARGE = {  # facebook/sam2.1-hiera-large, which has the video type
    "backbone_config": {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 144,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4],
        "embed_dim_per_stage": [144, 288, 576, 1152],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "window_size_per_stage": [8, 4, 16, 8],
        "global_attention_blocks": [23, 33, 43],
        "window_positional_embedding_background_size": [7, 7],
    },
    "backbone_channel_list": [1152, 576, 288, 144],
}
SWIN_TINY = {"window_size": 7, "image_size": 224, "out_indices": [2, 3, 4]}  # IDEA-Research/grounding-dino-tiny
MODELS = {  # class, config, millions of weights as published
    "sam2": (Sam2Model, lambda: Sam2Config(vision_config=LARGE), None),  # a part of the next
    "sam2_video": (Sam2VideoModel, lambda: Sam2VideoConfig(vision_config=LARGE), 224),
    "grounding_dino": (
        GroundingDinoForObjectDetection,
        lambda: GroundingDinoConfig(backbone_config=SwinConfig(**SWIN_TINY)),
        172,
    ),
    "sam3": (Sam3Model, Sam3Config, 840),
    "clipseg": (CLIPSegForImageSegmentation, lambda: CLIPSegConfig(reduce_dim=64), 151),
}


@pytest.fixture(params=MODELS)
def full_size(request):
    model_class, make_config, millions = MODELS[request.param]
    with torch.device("meta"):
        model = model_class(make_config()).eval()
    return request.param, model, millions


def test_the_sizes_are_those_of_the_published_models(full_size):
    name, model, millions = full_size
    if name == "sam2":
        with torch.device("meta"):
            video = Sam2VideoModel(Sam2VideoConfig(vision_config=LARGE)).state_dict()
        assert all(video[key].shape == weight.shape for key, weight in model.state_dict().items())
        return
    assert sum(weight.numel() for weight in model.parameters()) == pytest.approx(millions * 1e6, rel=0.02)


def test_what_goes_in_and_what_comes_out(full_size):
    """The shapes that `models.segmenting` makes and reads, at the published sizes."""
    name, model, _ = full_size
    if name == "sam2":
        with torch.device("meta"):
            given = {"pixel_values": torch.zeros(1, 3, 1024, 1024), "input_boxes": torch.zeros(1, 3, 4)}
            outputs = model(**given, multimask_output=False)
        assert outputs.pred_masks.shape == (1, 3, 1, 256, 256)
        assert model.prompt_encoder.mask_input_size == (256, 256)
    elif name == "clipseg":
        with torch.device("meta"):
            outputs = model(torch.zeros(1, 77, dtype=torch.long), torch.zeros(1, 3, 352, 352))
        assert outputs.logits.shape[-2:] == (352, 352)
    elif name == "sam2_video":
        assert model.config.prompt_encoder_config.image_size == 1024 and model.num_maskmem == 7
    elif name == "sam3":
        assert model.config.vision_config.backbone_config.image_size == 1008
    else:
        assert model.config.max_text_len == 256 and model.config.num_queries == 900
