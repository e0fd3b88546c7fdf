"""llama.cpp's server in a process of its own: python llama_server.py MODEL.gguf PROJECTOR.gguf PORT"""

import sys
import threading

import xllamacpp

if __name__ == "__main__":
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.mmproj.path, settings.port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    settings.n_ctx, settings.n_parallel, settings.warmup = 8192, 1, False
    server = xllamacpp.Server(settings)
    threading.Event().wait()
