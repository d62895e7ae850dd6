-- The guarded apply of one shard: whole profiles, due sets and the marker, or nothing.
--
-- KEYS[1]   the shard's hash: a field per visitor, the marker under the empty field
-- KEYS[2..] the due sets that are added to
-- ARGV[1]   prev: the marker's seq must be in [prev, new); eight bytes, big-endian
-- ARGV[2]   how many visitors are removed
-- then      for each due set how many visitors, and those
-- then      the visitors removed
-- then      pairs of field and value to the end; the last pair is the new marker
--
-- Answers {'W'}: written; {'A', there}: already applied; {'B', there}: the store went back or is another's;
-- {'B'}: and has no marker; {'N', there}: a newer version wrote the marker. Nothing is written before the guard,
-- and the marker goes with the last write: a script that fails half-way leaves the old marker.

-- `unpack` fails somewhere below 9,000 values.
local CHUNK = 1998

local function in_chunks(command, key, first, last)
  for from = first, last, CHUNK do
    redis.call(command, key, unpack(ARGV, from, math.min(from + CHUNK - 1, last)))
  end
end

local there = redis.call('HGET', KEYS[1], '')
local marker = ARGV[#ARGV]
-- Two halves, because a number here is a double and holds 53 bits.
local prev_high, prev_low = struct.unpack('>I4I4', ARGV[1])

if there then
  if #there < 42 or string.byte(there, 2) > 1 then
    return {'N', there}
  end
  if string.sub(there, 3, 10) ~= string.sub(marker, 3, 10) then
    return {'B', there}
  end
  local high, low = struct.unpack('>I4I4', there, 11)
  local new_high, new_low = struct.unpack('>I4I4', marker, 11)
  if high > new_high or (high == new_high and low >= new_low) then
    return {'A', there}
  end
  if high < prev_high or (high == prev_high and low < prev_low) then
    return {'B', there}
  end
elseif prev_high > 0 or prev_low > 0 then
  return {'B'}
end

local at = 3
for set = 2, #KEYS do
  local count = tonumber(ARGV[at])
  in_chunks('SADD', KEYS[set], at + 1, at + count)
  at = at + 1 + count
end
local removed = tonumber(ARGV[2])
in_chunks('HDEL', KEYS[1], at, at + removed - 1)
in_chunks('HSET', KEYS[1], at + removed, #ARGV)
return {'W'}
