"""Keys of the rows in rating's ``heads`` table, which say how far each partition of facts is worked off (ADR 22, 23, 26).

The table's changelog has a partition for each partition of facts; a row without a value is gone. Rating writes the rows, audit reads in
them what must have been told by now.

=============================  ====================================================================================================
``head``                       ``[offset, known]``: every record up to that offset is worked off and what it made due is durable
``pending/<offset>``           the control event of that offset has still to be worked off for some subjects
``cursor/<offset>``            the name of the last subject for which it was, UTF-8; by name, absent before the first
``parts``                      ``[order, …]``: how far wholes are told, ``[known, offset, partition, part]`` or null
``rebuilt``                    ``[last, end]`` of a rebuild, -1 and -1 once it is done
``refused/<regime>``           from which offset on the regime is refused, for an edition of it that was activated is not at hand
``untold/<regime>#<subject>``  from which offset on the subject's grades by the regime could not be worked out
=============================  ====================================================================================================
"""

HEAD, PARTS, REBUILT = b"head", b"parts", b"rebuilt"
PENDING, CURSOR = b"pending/", b"cursor/"
REFUSED, UNTOLD = b"refused/", b"untold/"
