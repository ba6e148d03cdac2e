import { setFlagsFromString } from 'node:v8'

const GROWTH_PERCENT = 40

/**
 * Makes V8 collect garbage once the heap has grown by 40 % since the last collection. On a machine with much memory it waits
 * until the heap is several times as large as what is in use, which doubles the memory of a role that runs for weeks. More
 * collections cost little CPU, since most of their work is done on other threads.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
