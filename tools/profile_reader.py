#!/usr/bin/env python3
"""Reads stored profiles and prints them as JSON. Standard library only; docs/profile-form.md describes the bytes.

    profile_reader.py FILE        one profile, raw bytes ("-": standard input)
    profile_reader.py --hex FILE  one profile a line, in hex; one JSON object a line comes out

Instants are milliseconds since the Unix epoch, amounts ten-thousandths of the currency unit, ids 16 hex digits.
Exit status: 0 fine, 1 not a profile or written by a newer version, 2 usage.
"""

import json
import struct
import sys

FORMAT = 1
ORIGIN = 1_577_836_800_000
DAY = 86_400_000

SHOP = 0x486D46DAB9E5C236
KNOWN_IDS = [
    SHOP,
    0x28454F689A2B12B3,  # page_viewed
    0x59AEA22A06A56E40,  # product_list_viewed
    0x835C6257209E55B7,  # product_viewed
    0x07AA5FFDBB58D345,  # product_added
    0x0CFF8BF9A0B08229,  # product_removed
    0xA372484B0A4ECD13,  # cart_viewed
    0x8CB0652308952574,  # checkout_started
    0xB75AED5518B1BDFA,  # checkout_step_completed
    0xF317C3C790BC57CC,  # payment_info_entered
    0x6A0ADACA90E1551E,  # order_completed
    0x5BB515D405D043C0,  # order_refunded
    0xF1A2329F7857BAB6,  # order_cancelled
    0x6EF63CF283E6C192,  # coupon_applied
    0xDDB460746D7607CE,  # product_added_to_wishlist
    0x448C6B20AF96478C,  # product_shared
    0x560FA11DCCE93D53,  # product_reviewed
    0x0DABD41D84606303,  # products_searched
    0x8A1E8CD003C83E27,  # promotion_clicked
    0x5E47832D900D584B,  # identify
]
KNOWN_CURRENCIES = (
    "EUR USD GBP ILS CHF PLN CZK SEK NOK DKK CAD AUD JPY CNY INR BRL MXN TRY RON HUF NZD ZAR KRW RUB"
).split()
KNOWN_TEXTS = (
    "web app mobile store server email AT AU BE BR CA CH CZ DE DK ES FI FR GB GR HU IE IL IN IT JP "
    "NL NO NZ PL PT RO SE US"
).split()


class Corrupt(Exception):
    """The bytes are no profile that this reader can read."""


def i64(number):
    """The low 64 bits of a number, as a signed one."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def unfold(number):
    """A signed number from an unsigned one: even for zero and up, odd for below."""
    return (number >> 1) ^ -(number & 1)


class Input:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Corrupt("the bytes end in the middle of something")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def halves(self):
        byte = self.byte()
        return byte & 15, byte >> 4

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value >> 64:
            raise Corrupt("a number is out of range")
        return value

    def escaped(self, half):
        return 15 + self.varint() if half == 15 else half

    def fixed(self, width):
        return int.from_bytes(self.take(width), "little")

    def before(self, later):
        return i64(later - self.varint())

    def after(self, earlier):
        return i64(earlier + self.varint())

    def amount(self):
        token = self.varint()
        if token == 1:
            return unfold(self.varint())
        if token % 2:
            raise Corrupt("a code stands for nothing")
        return unfold(token >> 1) * 100

    def score(self):
        head = self.byte()
        if head == 0xFF:
            return struct.unpack(">f", self.take(4))[0]
        if head >= 0x80:
            return to_f32((head - 0x7F) / 10)
        return struct.unpack(">f", bytes([head]) + self.take(3))[0]

    def text(self):
        return self.take(self.varint()).decode("utf-8")


def to_f32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


class Ids(list):
    """Ids in order of appearance; a token is place + 1, or 0 before a new one."""

    def read(self, data):
        token = data.varint()
        if token:
            return self[token - 1]
        self.append(data.fixed(8))
        return self[-1]


class Texts(list):
    """Short texts in order of appearance."""

    def read(self, data):
        token = data.varint()
        if token:
            return self[token - 1]
        text = data.text()
        if len(text.encode()) <= 64 and len(self) < 256:
            self.append(text)
        return text


class Reader:
    def __init__(self, data):
        self.data = Input(data)
        self.ids, self.texts = Ids(KNOWN_IDS), Texts(KNOWN_TEXTS)
        self.brands, self.nodes, self.forms, self.kinds = [], [], [], []
        self.marks, self.shared = [], []
        self.carried = {}

    def profile(self):
        data = self.data
        form, min_reader = data.byte(), data.byte()
        if min_reader > FORMAT:
            raise Corrupt(f"profile has format {form}, which needs a reader of format {min_reader} or newer")
        if form == 0 or min_reader == 0:
            raise Corrupt("a code stands for nothing")
        out = {"format": form, "min_reader": min_reader, "seq": data.varint()}
        flags = data.byte()
        out["stamp"] = hex_id(data.fixed(8) if flags & 4 else 0)
        self.seen = out["seen"] = i64(ORIGIN + data.fixed(8 if flags & 8 else 5))
        out["deadline"] = data.after(self.seen) if flags & 1 else None
        out["exact_since"] = data.before(self.seen) if flags & 2 else None
        counts = self.counts()
        for _ in range(counts["brands"]):
            self.brand()
        for _ in range(counts["nodes"]):
            self.node()
        for _ in range(counts["forms"]):
            self.form()
        for _ in range(counts["kinds"]):
            self.kind()
        strokes = self.strokes(counts["strokes"])
        tags = self.marked(strokes) + (self.loose(strokes) if flags & 16 else [])
        levels = ["shop", "brand", "category", "product"]
        tags.sort(key=lambda t: (levels.index(t["level"]), t.get("depth", 0), t["id"]))
        out["strokes"] = strokes[::-1]
        out["cells"] = self.cells() if flags & 32 else []
        out["tags"] = tags
        out["traits"] = self.traits() if flags & 64 else []
        out["standings"] = [self.standing() for _ in range(counts["standings"])]
        if data.at != len(data.data):
            raise Corrupt("bytes are left over at the end")
        return out

    def counts(self):
        data, counts = self.data, {}
        shop, kinds = data.halves()
        counts["kinds"] = data.escaped(kinds)
        brands, nodes = data.halves()
        counts["brands"], counts["nodes"] = data.escaped(brands), data.escaped(nodes)
        shared, standings = data.halves()
        counts["standings"] = data.escaped(standings)
        counts["forms"], counts["strokes"] = data.varint(), data.varint()
        self.shared = [data.score() for _ in range(shared)]
        self.mark(("shop",), shop)
        return counts

    def mark(self, entry, half):
        if half == 0:
            return
        if half < 8:
            score = self.shared[half - 1]
        elif half == 8:
            score = self.data.score()
        else:
            score = struct.unpack("<f", struct.pack("<I", (half + 117) << 23 | self.data.fixed(3)))[0]
        self.marks.append((entry, score))

    def brand(self):
        self.brands.append(self.data.fixed(8))
        self.ids.append(self.brands[-1])
        self.mark(("brand", len(self.brands) - 1), self.data.halves()[1])

    def node(self):
        id_ = self.data.fixed(8)
        self.ids.append(id_)
        parent, half = self.data.halves()
        parent = self.data.escaped(parent) - 1
        if parent >= len(self.nodes):
            raise Corrupt("a reference points to nothing")
        depth = self.nodes[parent]["depth"] + 1 if parent >= 0 else 1
        self.nodes.append({"id": id_, "parent": parent, "depth": depth})
        self.mark(("node", len(self.nodes) - 1), half)

    def form(self):
        data = self.data
        node, brand = data.halves()
        half, sorts = data.halves()
        form = {"node": data.escaped(node) - 1, "brand": data.escaped(brand) - 1}
        form["product"], form["of"], form["price"] = None, None, None
        if sorts >> 2 == 1:
            form["product"] = data.fixed(8)
            self.ids.append(form["product"])
        elif sorts >> 2 == 2:
            form["of"] = data.varint()
            form["product"] = self.forms[form["of"]]["product"]
        if sorts & 3 == 1:
            form["price"] = data.fixed(2) * 100
        elif sorts & 3 == 2:
            form["price"] = data.amount()
        elif sorts & 3 == 3:
            byte = data.byte()
            form["price"] = (byte - 191) * 10_000 if byte >= 192 else byte * 10_000 + 9_900
        self.forms.append(form)
        self.mark(("form", len(self.forms) - 1), half)

    def kind(self):
        data = self.data
        kind = {"event": self.ids.read(data)}
        shape = data.byte()
        kind["items"], kind["revenue"] = shape & 15, shape >> 6
        empty = {"currency": None, "channel": None, "country": None, "own": False}
        field = (shape >> 4) & 3
        if field == 1:
            setting = self.kinds[-1]["setting"] if self.kinds else empty
        elif field == 2:
            setting = {**empty, "currency": self.currency()}
        elif field == 3:
            more = data.byte()
            setting = dict(empty)
            setting["currency"] = self.currency() if more & 1 else None
            setting["channel"] = self.texts.read(data) if more & 2 else None
            setting["country"] = self.texts.read(data) if more & 4 else None
            setting["own"] = bool(more & 8)
        else:
            setting = empty
        kind["setting"] = setting
        self.kinds.append(kind)

    def currency(self):
        code = self.data.byte()
        return KNOWN_CURRENCIES[code - 1] if code else self.data.take(3).decode("ascii")

    def strokes(self, count):
        """Newest first, as they lie in the bytes."""
        data, at, strokes = self.data, self.seen, []
        for _ in range(count):
            head, half = data.halves()
            kind = self.kinds[data.varint() + 3 if head & 3 == 3 else head & 3]
            time = head >> 2
            at = i64(at - (data.varint() if time == 3 else data.fixed(time + 2)))
            stroke = {"at": at, "event": hex_id(kind["event"]), "id_bits": data.fixed(4)}
            items = self.items(kind["items"], data.escaped(half), at)
            setting = kind["setting"]
            stroke["items"] = items
            stroke["revenue"] = None
            if kind["revenue"] == 1:
                total = 0
                for item in items:
                    total = saturated(total + amount(item))
                stroke["revenue"] = total
            elif kind["revenue"] == 2:
                stroke["revenue"] = data.amount()
            stroke["currency"] = setting["currency"]
            own = self.own() if setting["own"] else {"coupon": None, "page_path": None, "properties": {}}
            stroke.update(channel=setting["channel"], country=setting["country"], **own)
            strokes.append(stroke)
        return strokes

    def items(self, how, half, at):
        data, items = self.data, []
        single = 2 <= how < 8
        for _ in range(0 if how == 0 else 1 if single else half):
            flags = data.byte() if how == 1 else 0
            place = half if single else data.varint()
            form = self.forms[place]
            self.carry(place, at)
            item = {"product": hex_id(form["product"])}
            item["brand"] = hex_id(self.brands[form["brand"]]) if form["brand"] >= 0 else None
            path, node = [], form["node"]
            while node >= 0:
                path.insert(0, hex_id(self.nodes[node]["id"]))
                node = self.nodes[node]["parent"]
            item["category"] = path
            item["quantity"] = item["merged"] = None
            if how == 1:
                item["price"] = form["price"] if flags & 1 else None
                item["quantity"] = data.varint() if flags & 2 else None
                item["merged"] = data.amount() if flags & 4 else None
            else:
                item["price"] = form["price"] if how % 2 else None
                quantity = (how - 2) // 2 % 3
                if quantity == 1:
                    item["quantity"] = 1
                elif quantity == 2:
                    token = data.varint()
                    item["quantity"] = token - 1 if token else None
            items.append(item)
        return items

    def carry(self, place, at):
        """A stroke carries a form, its brand, its path and its product's first form."""
        form = self.forms[place]
        entries = [("form", place)]
        if form["of"] is not None:
            entries.append(("form", form["of"]))
        if form["brand"] >= 0:
            entries.append(("brand", form["brand"]))
        node = form["node"]
        while node >= 0:
            entries.append(("node", node))
            node = self.nodes[node]["parent"]
        for entry in entries:
            self.carried[entry] = max(at, self.carried.get(entry, at))

    def own(self):
        data = self.data
        flags = data.byte()
        own = {
            "coupon": self.texts.read(data) if flags & 1 else None,
            "page_path": self.texts.read(data) if flags & 2 else None,
            "properties": {},
        }
        for _ in range(data.varint() if flags & 4 else 0):
            name = self.texts.read(data)
            own["properties"][name] = self.value()
        return own

    def value(self):
        sort = self.data.byte()
        if sort < 2:
            return bool(sort)
        if sort == 2:
            return {"number": self.data.amount()}
        if sort == 3:
            return self.texts.read(self.data)
        raise Corrupt("a code stands for nothing")

    def marked(self, strokes):
        """Tags that stand beside their entry: painted when a stroke carried it last."""
        if strokes:
            self.carried[("shop",)] = max(stroke["at"] for stroke in strokes)
        tags = []
        for entry, score in self.marks:
            level, depth, id_ = entry[0], None, SHOP
            if level == "brand":
                id_ = self.brands[entry[1]]
            elif level == "node":
                level, depth, id_ = "category", self.nodes[entry[1]]["depth"], self.nodes[entry[1]]["id"]
            elif level == "form":
                level, id_ = "product", self.forms[entry[1]]["product"]
            tags.append(tag(level, depth, id_, score, self.carried[entry]))
        return tags

    def key(self):
        head = self.data.byte()
        level = ["shop", "brand", "category", "product"][head & 3]
        depth = self.data.byte() if level == "category" else None
        return level, depth, self.ids.read(self.data), head >> 2

    def loose(self, strokes):
        """Tags written in full."""
        data, tags = self.data, []
        for _ in range(data.varint()):
            level, depth, id_, flags = self.key()
            at = data.before(self.seen) if flags & 1 else strokes[data.varint()]["at"]
            tags.append(tag(level, depth, id_, data.score(), at))
        return tags

    def cells(self):
        data, cells = self.data, []
        before = {"day": 0}
        for _ in range(data.varint()):
            if data.data[data.at] & 8:
                flags = data.byte() >> 2
                cell = {"tag": before["tag"]}
            else:
                level, depth, id_, flags = self.key()
                cell = {"tag": named(level, depth, id_)}
            cell["event"] = before["event"] if flags & 1 else hex_id(self.ids.read(data))
            cell["day"] = before["day"] + unfold(data.varint())
            cell["count"], cell["sum"] = data.varint(), data.amount()
            cell["first"] = data.after(cell["day"] * DAY)
            cell["last"] = data.after(cell["first"])
            cells.append(cell)
            before = cell
        return cells

    def traits(self):
        traits = []
        for _ in range(self.data.varint()):
            name, value = self.texts.read(self.data), self.value()
            traits.append({"name": name, "value": value, "at": self.data.before(self.seen)})
        return traits

    def standing(self):
        data = self.data
        audience, head = hex_id(data.fixed(8)), data.byte()
        if head & 3 == 0:
            since = i64(self.seen - data.fixed((head >> 2) + 1))
            return {"audience": audience, "in": True, "since": since}
        last_exit = data.before(self.seen) if head & 4 else None
        pending = data.before(self.seen) if head & 16 else None
        out = {"audience": audience, "in": False, "last_exit": last_exit}
        return {**out, "disarmed": bool(head & 8), "pending": pending}


def hex_id(id_):
    return None if id_ is None else f"{id_:016x}"


def amount(item):
    """What an item adds to the revenue of its order: price times quantity, or the sum of a merged one."""
    if item["merged"] is not None:
        return item["merged"]
    quantity = 1 if item["quantity"] is None else item["quantity"]
    return saturated(item["price"] * quantity)


def saturated(number):
    return max(-(1 << 63), min(number, (1 << 63) - 1))


def named(level, depth, id_):
    out = {"level": level, "id": hex_id(id_)}
    return out if depth is None else {**out, "depth": depth}


def tag(level, depth, id_, score, at):
    bits = struct.unpack("<I", struct.pack("<f", score))[0]
    return {**named(level, depth, id_), "score": score, "score_bits": f"{bits:08x}", "at": at}


def read(data):
    try:
        return Reader(data).profile()
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"a reference points to nothing ({error})") from error


def main(arguments):
    as_hex = arguments[:1] == ["--hex"]
    files = arguments[1:] if as_hex else arguments
    if len(files) != 1 or files[0].startswith("--"):
        print(__doc__, file=sys.stderr)
        return 2
    source = sys.stdin.buffer if files[0] == "-" else open(files[0], "rb")
    with source:
        data = source.read()
    profiles = [bytes.fromhex(line) for line in data.decode().split()] if as_hex else [data]
    for profile in profiles:
        try:
            print(json.dumps(read(profile), indent=None if as_hex else 2, ensure_ascii=False))
        except Corrupt as error:
            print(f"not a profile: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
