"""Pictures as PNG files, and text for the terminal.

- page: text and pictures laid out on a page
- overlay: a mask drawn on its frame
- audit_picture: one audit
- audit_sheet: right and wrong audits side by side
- instance_sheet: one instance with all its masks
- filmstrip: videos with their expressions
- distribution: IoUs by mask type
- ablation_picture: averages of a sweep with their intervals
- terminal: scores as text
"""
