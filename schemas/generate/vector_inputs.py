"""What the vectors are made from: texts, values and keys at the edges of the contract."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

# Published test keys (RFC 8032 §7.1 test 1; RFC 6979 A.2.5). Anyone can sign with them: never register one.
ED25519_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
ES256_SCALAR = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"

MAX = 2**53 - 1
BASE_EVENT = "mingjian.inspection.recorded.v1"
RECEIPTED = ("mingjian.inspection.recorded.v1", "mingjian.penalty.decided.v1", "mingjian.score.recorded.v1")
OFFSETS = (0, 4211, MAX - 1)


def nested(depth: int, opening: str = "[", closing: str = "]", inner: str = "") -> bytes:
    """``depth`` containers in one another."""
    return (opening * depth + inner + closing * depth).encode()


ACCEPTED: dict[str, bytes] = {
    "empty object": b"{}",
    "empty array": b"[]",
    "empty string": b'""',
    "literals": b"[null, true, false]",
    "white space goes": b' {\n\t"b" : [ 1 , 2 ] ,\r\n "a" : { } }\n',
    "keys in order of their code units": b'{"b":1,"a":2,"B":3,"A":4,"_":5,"1":6,"10":7,"2":8,"":9,"aa":10,"a b":11,"~":12,"!":13}',
    "nested objects are sorted at every depth": b'{"z":{"b":{"y":1,"x":2},"a":[{"d":1,"c":2}]},"a":0}',
    "arrays keep their order": b'[3,1,2,"b","a"]',
    "the largest integer": b"9007199254740991",
    "the smallest integer": b"-9007199254740991",
    "integers": b"[0,1,-1,10,2147483647,-2147483648,4294967296]",
    "minus zero is zero": b"[-0]",
    "decimals travel as strings": b'["97.5","-0.0001","1e2"]',
    "the seven short escapes": b'"\\b\\t\\n\\f\\r\\"\\\\"',
    "a solidus is not escaped": b'"\\/ /"',
    "control characters become \\u00xx in lower case": b'"\\u0000\\u0001\\u000b\\u000E\\u001F"',
    "delete is not escaped": b'"\\u007f"',
    "C1 controls and separators are not escaped": '"\u0080\u2028\u2029"'.encode(),
    "escapes of plain characters go": b'"\\u0041\\u660e\\u9274"',
    "Chinese": '{"name":"样例百草大药房"}'.encode(),
    "an astral character, written out": '"𠮷😀"'.encode(),
    "an astral character, as a surrogate pair": b'"\\ud842\\udfb7\\uD83D\\uDE00"',
    "the last code point": '"\U0010ffff"'.encode(),
    "the last before the surrogates, and the first after": b'"\\ud7ff\\ue000"',
    "not normalised: composed": '"\u00e9"'.encode(),
    "not normalised: decomposed": '"e\u0301"'.encode(),
    "a byte order mark within a string": '"\ufeff"'.encode(),
    "keys may hold quotes and control characters": b'{"a\\"b":1,"a\\nb":2,"\\u0000":3}',
    "32 levels of arrays": nested(32),
    "32 levels of objects": nested(32, '{"a":', "}", "1"),
    "many keys": ("{" + ",".join(f'"k{number}":{number}' for number in range(200, 0, -1)) + "}").encode(),
}

# A client that only writes never sees these; a reader must refuse them before it makes a value of them.
REFUSED_TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "only white space": b" \n",
    "a byte order mark before the text": b"\xef\xbb\xbf{}",
    "not UTF-8": b'"\xff"',
    "an overlong slash": b'"\xc0\xaf"',
    "a surrogate written in UTF-8": b'"\xed\xa0\x80"',
    "UTF-16": "{}".encode("utf-16"),
    "a key twice": b'{"a":1,"a":1}',
    "a key twice, once escaped": b'{"a":1,"\\u0061":2}',
    "a key twice, deep inside": b'{"a":[{"b":{"c":1,"d":2,"c":3}}]}',
    "a whole number with decimals": b"[1.0]",
    "an exponent": b"[1e2]",
    "a large exponent": b"[1E400]",
    "minus zero with decimals": b"[-0.0]",
    "NaN": b"[NaN]",
    "infinity": b"[-Infinity]",
    "a leading zero": b"[01]",
    "a leading plus": b"[+1]",
    "hexadecimal": b"[0x10]",
    "a digit of another script": "[1\uff11]".encode(),
    "a raw line feed in a string": b'"a\nb"',
    "an unknown escape": b'"\\x41"',
    "a short escape": b'"\\u00e"',
    "single quotes": b"['a']",
    "a comment": b"[1] // one",
    "a trailing comma": b"[1,]",
    "two values": b"{} {}",
    "cut short": b'{"a":[1,2',
}

# These can also stand in a client's memory; its writer must refuse them.
REFUSED_VALUES: dict[str, bytes] = {
    "a float": b"[97.5]",
    "a small float": b'{"a":{"b":1e-7}}',
    "2^53": b"9007199254740992",
    "2^53 + 1": b"[9007199254740993]",
    "-2^53": b'{"a":-9007199254740992}',
    "2^64": b"[18446744073709551616]",
    "an integer of 40 digits": b"[" + b"9" * 40 + b"]",
    "half a surrogate pair": b'"\\ud800"',
    "the wrong half": b'"\\udc00"',
    "halves in the wrong order": b'["\\ude00\\ud83d"]',
    "half a surrogate pair as a key": b'{"\\ud800":1}',
    "a Chinese key": '{"名称":1}'.encode(),
    "an astral key": '{"😀":1}'.encode(),
    "a key with a delete-like accent": '{"caf\u00e9":1}'.encode(),
    "33 levels of arrays": nested(33),
    "33 levels of objects": nested(33, '{"a":', "}", "1"),
}

# Changes to the golden inspection that a client is likely to get wrong. They need not fit the type's model.
UNUSUAL: dict[str, dict[str, Any]] = {
    "astral characters in free text": {"note": "𠮷野家 😀 \U0010ffff"},
    "escapes in free text": {"note": 'tab\there, line\nbreak, "quotes", back\\slash, bell\u0007, delete\u007f'},
    "decomposed letters stay decomposed": {"note": "cafe\u0301 café"},
    "the largest integers": {"position": {"lat": "90", "lon": "-180", "accuracy_m": MAX}},
    "the smallest integers": {"position": {"lat": "-90", "lon": "180", "accuracy_m": -MAX}},
    "empty containers": {"items": [], "commitments": {}, "attachments": []},
    "explicit nulls are kept": {"note": None, "officers": None},
    "deep nesting": {"deep": {"a": [{"b": [{"c": [{"d": {}}]}]}]}},
    "keys in odd orders": {"z": 1, "A": 2, "_": 3, "a": 4, "0": 5},
}

COMMITTED: dict[str, tuple[str, str, bytes]] = {
    "a name": ("legal_representative", "样例人乙", bytes(range(16))),
    "the same name under another field": ("responsible_person", "样例人乙", bytes(range(16))),
    "the same name with another salt": ("legal_representative", "样例人乙", bytes(range(1, 17))),
    "ASCII": ("telephone", "000-0000-0000", bytes(16)),
    "an astral character": ("name", "𠮷田", b"\xff" * 16),
    "a line feed within": ("address", "样例镇\n样例大街8号", bytes(range(16, 32))),
    "composed": ("name", "\u00e9", bytes(16)),
    "decomposed is another value": ("name", "e\u0301", bytes(16)),
}

UNUSABLE_KEYS: dict[str, tuple[str, bytes]] = {
    "Ed25519 of 31 bytes": ("Ed25519", bytes(range(31))),
    "Ed25519 of small order: the neutral point": ("Ed25519", b"\x01" + bytes(31)),
    "Ed25519 of small order: order 8": ("Ed25519", bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
    "ES256 compressed": ("ES256", b"\x02" + bytes(range(32))),
    "ES256 off the curve": ("ES256", b"\x04" + bytes(63) + b"\x01"),
    "SM2, reserved": ("SM2", b"\x04" + bytes(64)),
}

SUBJECTS: tuple[str, ...] = (
    "uscc:91350100M000100Y43",
    "uscc:91350100M000100Y4Z",
    "uscc:91350100M000100Y44",
    "uscc:91350010M000100Y43",
    "uscc:91350100m000100y43",
    "uscc:91350100M000100Y4",
    "uscc: 91350100M000100Y43",
    "uscc:9135010OM000100Y43",
    "fhrs:1177669",
    "fhrs:0177669",
    "fhrs:",
    "camis:30075445",
    "camis:3007544",
    "person:00112233445566778899aabbccddeeff",
    "person:00112233445566778899AABBCCDDEEFF",
    "officer:yangli-r01",
    "officer:-r01",
    "office:/departments/yangli/offices/bureau",
    "office:/departments/yangli",
    "regime:food-hygiene",
    "stack:yangli",
    "vat:123",
    "91350100M000100Y43",
    "",
)

DERIVED: dict[str, dict[str, Any]] = {
    "a grade": {
        "cause": "019c8d2f-6d60-7e34-9d0c-1f2e3d4c5b6a",
        "kind": "grade.determined",
        "subject": "uscc:91350100M000100Y43",
        "regime": "food-hygiene",
        "ordinal": 0,
    },
    "the second of the same cause": {
        "cause": "019c8d2f-6d60-7e34-9d0c-1f2e3d4c5b6a",
        "kind": "grade.determined",
        "subject": "uscc:91350100M000100Y43",
        "regime": "food-hygiene",
        "ordinal": 1,
    },
    "without a regime": {
        "cause": "019c8d2f-6d60-7e34-9d0c-1f2e3d4c5b6a",
        "kind": "finding.late_entry",
        "subject": "office:/departments/yangli/offices/bureau",
        "regime": "",
        "ordinal": 0,
    },
}


def der(raw: bytes) -> bytes:
    """r‖s as ASN.1, the form that most libraries return and this contract doesn't use."""
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
