"""From predictions to numbers. Nothing here draws a picture, runs a model or needs torch.

- counts: hits and misses, precision, recall, F scores and RMSE
- answers: predictions as columns, from which all of this is counted
- metrics: the summary of one run, frame by frame
- video: the figures of whole videos
- regions: J, F and S of segmentation masks
- boundaries: the boundary F of segmentation masks
- protocols: three ways of scoring segmentation masks, and their averages
- repairs: what a repair of masks has changed
- intervals: intervals of averages when several values come from one video
- columns: the columns of the paper's Tables 2 and 3
- published: the numbers that the paper prints
- scoring: everything that a finished run writes, and the names of its files
- reward: what an audit is worth that an auditor in training has sampled
- agreement: how far two runs on the same masks agree
- baselines: answers that do not depend on the input, to compare with
- together: answers made without looking, and from the answers of others
- paired: differences on the same masks, with intervals
- quality: what could be read, and whether audits fit together
- expression_kinds: scores by kind of expression
- ablation_tables: tables in the shape of the paper's ablations
- benchmark_tables: what a benchmark consists of, counted
"""
