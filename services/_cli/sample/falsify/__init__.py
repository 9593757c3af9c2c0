"""Falsehoods and innocent look-alikes for the sample town, planted by ``mingjian sample --falsify``.

The town is first furnished with what a real one has (routes, positions, remarks, running numbers), then each kind's file sows its own.
What was sown is told in a file that no service reads. All numbers here are the town's own: nothing of the audit service is imported,
and none of its thresholds is known here, so that what is found says something about the finding. Pure, like the town.
"""
