"""Multimodal LLMs that were never trained on audits, from local transformers folders: a chat in, an answer out.

Their own processors for videos need torchvision. Here inputs are made with the image processors for PIL and with the
feature extractors for sound, which need none.

- parts: what is said in a chat: texts, pictures, frames of a video, sound
- chat_model: a chat as tokens and tensors, a batch of them, and the answers
- shared_beginning: what chats of one batch have in common is read once
- qwen_omni: the thinkers of Qwen2.5-Omni and Qwen3-Omni
- qwen_vl: Qwen2-VL to Qwen3.5, which cannot hear
- video_llama3: Video-LLaMA3, which cannot hear
- gemma4: Gemma 4
- text_only: language models that neither see nor hear
- any_processor: other models, through AutoProcessor, where torchvision is installed
- load: a folder -> the model that is in it
"""
