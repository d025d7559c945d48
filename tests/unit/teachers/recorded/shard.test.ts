import { describe, expect, test } from "vitest";
import {
  checkRowBytes,
  decodeShardTable,
  encodeShard,
  rowKey,
  type ShardEntry,
  shardTableBytes,
} from "../../../../src/teachers/index.js";
import { crc32 } from "../../../../src/teachers/recorded/crc32.js";

test("crc32 gives the check value of its standard", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});

describe("the key of a row", () => {
  const row = { ids: [1, 2, 34], completionStart: 1 };

  test("depends on every id and on what is learned, not on the name", () => {
    const keys = [
      row,
      { ...row, ids: [1, 2, 35] },
      { ...row, ids: [12, 34] },
      { ...row, completionStart: 2 },
    ].map(rowKey);
    expect(new Set(keys).size).toBe(4);
    expect(rowKey({ ...row, id: "a:1" })).toBe(rowKey({ ...row, id: "b:2" }));
    expect(rowKey({ ...row, learned: [0, 0, 1] })).toBe(rowKey({ ...row, completionStart: 2 }));
    expect(rowKey(row)).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("a shard", () => {
  const rows = [
    { key: "00000000ffffffff", bytes: Uint8Array.of(1, 2, 3) },
    { key: "89abcdef01234567", bytes: Uint8Array.of(4, 5) },
  ];
  const range = { start: 3, end: 9, repeated: 4, unfinished: 1, positions: 17 };
  const shard = encodeShard(rows, range);
  const read = (bytes: Uint8Array) => decodeShardTable(bytes, bytes.length, "s.bin");

  test("says where its rows are", () => {
    const { entries, size, ...others } = read(shard);
    expect(others).toEqual(range);
    expect(size).toBe(shard.length);
    expect(entries.map(({ key }) => key)).toEqual(rows.map(({ key }) => key));
    for (const [i, entry] of entries.entries()) {
      const bytes = shard.slice(entry.offset, entry.offset + entry.length);
      expect(bytes).toEqual(rows[i]?.bytes);
      checkRowBytes(bytes, entry, "s.bin");
    }
    expect(read(Buffer.concat([Uint8Array.of(9), shard]).subarray(1))).toEqual(read(shard));
    // The table is enough.
    expect(
      decodeShardTable(shard.slice(0, shardTableBytes(shard, size, "s.bin")), size, "s.bin"),
    ).toEqual(read(shard));
  });

  test("shows any changed byte and any missing one", () => {
    const tableEnd = shardTableBytes(shard, 1e9, "s.bin");
    for (let at = 0; at < shard.length; at++) {
      const changed = shard.slice();
      changed[at] = (changed[at] as number) ^ 0x10;
      const check = () => {
        const { entries } = read(changed);
        for (const entry of entries) {
          checkRowBytes(changed.slice(entry.offset, entry.offset + entry.length), entry, "s.bin");
        }
      };
      expect(check, `byte ${at} of ${tableEnd}`).toThrow(/s\.bin: The shard is damaged/);
    }
    for (let length = 0; length < shard.length; length++) {
      expect(() => read(shard.slice(0, length))).toThrow(/s\.bin: The shard is damaged/);
    }
    expect(() =>
      checkRowBytes(Uint8Array.of(1, 2), read(shard).entries[0] as ShardEntry, "s"),
    ).toThrow(/does not match its checksum/);
  });
});
