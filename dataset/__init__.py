"""From disk to batch; it never sees a network.

- samples, entries, annotations: metadata.csv and the split files -> AuditSamples
- validation: reads every file that a run would read, and lists what is wrong
- construction: from ground-truth masks to a benchmark on disk
- verification: re-measures every mask of a benchmark, and lists what is wrong
- inventory: all parts of a benchmark, a plain row per mask, and a choice of instances
- sampling: which mask of which video comes when
- clip: a clip of one's own -> ten frames and a sound file
- audio, media: waveforms, frames and masks -> tensors
- prompt: wording and token ids
- audit_dataset, collator: one sample, and several as one rectangular batch
"""
