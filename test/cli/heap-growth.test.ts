import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { compiledUrl } from '../support/compiled-program.js'

const run = promisify(execFile)

/** Keeps a part of the heap alive, renews another all the time, and prints how far the heap grew beyond both, in bytes. */
const PROGRAM = `
  const kept = Array.from({ length: 600_000 }, (_, index) => ({ index }))
  const renewed = []
  const used = () => process.memoryUsage().heapUsed
  let most = 0
  for (let turn = 0; turn < 1500; turn++) {
    renewed[turn % 40] = Array.from({ length: 5000 }, (_, index) => ({ index, turn }))
    if (turn > 300) most = Math.max(most, used())
  }
  gc()
  console.log(most - used(), kept.length)`

async function excessOf(prelude: string): Promise<number> {
  const { stdout } = await run(process.execPath, [
    ...['--expose-gc', '--input-type=module'],
    ...['-e', prelude + PROGRAM],
  ])
  return Number.parseInt(stdout, 10)
}

it('keeps less garbage on the heap than V8 does by itself', async () => {
  const module = JSON.stringify(compiledUrl(new URL('../../src/cli/heap-growth.ts', import.meta.url)))
  const [bounded, unbounded] = await Promise.all([
    excessOf(`import { boundHeapGrowth } from ${module}; boundHeapGrowth();`),
    excessOf(''),
  ])
  expect(bounded).toBeLessThan(0.85 * unbounded)
})
