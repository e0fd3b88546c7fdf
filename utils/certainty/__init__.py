"""How sure an auditor is of an audit, from the probabilities of the tokens that it wrote. Nothing here needs torch.

- shares: which probabilities are needed, and what they say of one answer
- belief: the distribution over types, actions and the IoU that follows
"""
