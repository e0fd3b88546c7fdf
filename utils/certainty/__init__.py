"""How sure an auditor is of an audit, from the probabilities of the tokens that it wrote. Nothing here needs torch.

- shares: which probabilities are needed, and what they say of one answer
- belief: the distribution over types, actions and the IoU that follows
- contradictions: audits whose parts contradict each other
- calibration: temperatures for an auditor that is too sure, and how well probabilities hold
- stored: a calibration as a file in the auditor's folder
- expected: predictions with the expected IoU in place of the written one
- known_clips: whether a clip is like those of training
- risk: thresholds that keep a promise, and what is gained by looking at the least certain masks first
"""
