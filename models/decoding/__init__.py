"""Batches -> answers.

- answers: answers as text, one by one or together
- together: answers for many masks that share prompts
- watching: probabilities of a few tokens, kept while answers are written
- cache: keys and values of a batch, in blocks with room to grow
- drafts: guesses of how an answer continues, which the model checks
"""
