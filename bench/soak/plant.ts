const kept: string[] = []

/** Keeps so many bytes until the process ends: a leak that the soak must find. */
export function plantLeak(bytes: number): void {
  // made from a buffer, because a repeated string is stored once
  if (bytes > 0) kept.push(Buffer.alloc(bytes, kept.length % 256).toString('latin1'))
}
