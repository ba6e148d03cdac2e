/** Sets an entry as the newest of a map, and deletes the oldest one beyond the limit. */
export function putNewest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, limit: number): void {
  map.delete(key)
  map.set(key, value)
  dropOldest(map, limit)
}

/** Deletes the oldest entry of a map that has more than `limit`. */
export function dropOldest<Key>(map: Map<Key, unknown>, limit: number): void {
  const [oldest] = map.keys()
  if (map.size > limit && oldest !== undefined) map.delete(oldest)
}
