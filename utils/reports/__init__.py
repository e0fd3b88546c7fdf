"""Numbers and masks as text and pictures to look at. Values come in; no model runs here.

- comparison_tables: tables of a comparison in Markdown
- terminal: scores as text for a terminal
- page: a page of text and pictures as a PNG
- overlay: a mask drawn on its frame
- audit_picture: one audit with its frame and mask
- audit_sheet: right and wrong audits side by side
- mask_sheet: masks of a segmentation method beside the truth
- segmentation_tables: scores of segmentation masks as text for a terminal
- repair_tables: repairs of masks as tables, in the shape of the paper's Table 7
- instance_sheet: all masks of one instance, with what is true of them
- filmstrip: videos with their expressions and sounds
- distribution: how the IoUs of a benchmark are distributed
- ablation_picture: the averages of an ablation with their intervals
"""
