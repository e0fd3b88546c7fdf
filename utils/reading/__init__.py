"""Replies of other auditors, read as a person would read them. No value is invented: what is not said is None.

A field is read at the first of four levels that has it: its tag, an alias of the tag, a phrase, prose.

- reply: a Reading of a whole reply: the audit, and the level of each field
- cleaning: markup, thinking text, echoes of the prompt; which part of a reply is the audit
- tags: what stands in tags
- ious: IoUs in words: decimal points and commas, percentages; ranges and bounds are no values
- labels: mask types and actions in words
- words: the words for types and actions, other languages' too, and what they are said after
- sayings: how prose says them without naming the field
- corrections: what a reply takes back
- negation: words that are said of something else, or denied
- refusal: replies that refuse to audit in plain words
"""
