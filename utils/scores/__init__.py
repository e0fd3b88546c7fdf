"""From predictions to scores and tables. Draws nothing.

- counts: precision, recall and F scores from counted labels; RMSE
- metrics: the summary of one run, frame by frame
- video: the averages over videos
- columns: the columns of the paper's Tables 2 and 3
- scoring: all that a finished run writes
- agreement: how far two runs on the same masks agree
- baselines: answers that depend on the training masks only
- expression_kinds: scores by kind of expression
- ablation_tables: tables like the paper's Tables 5, 6, 9 and 10
- benchmark_tables: what a benchmark consists of, counted
- published: the numbers that the paper prints
"""
