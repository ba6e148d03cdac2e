import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseGpus, readGpus } from '../../../src/engine/fleet/index.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpu-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function install(script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, 'nvidia-smi'), 0o755)
}

const read = () => readGpus(`/nowhere:${folder}`, AbortSignal.timeout(20_000))

describe('readGpus', () => {
  it('reads the memory of each GPU from the first nvidia-smi of the search path', async () => {
    await install("printf '80000 MiB, 81920 MiB\\n1000 MiB, 81920 MiB\\n'")
    expect(await read()).toEqual([
      { id: 0, freeMib: 80_000, totalMib: 81_920 },
      { id: 1, freeMib: 1_000, totalMib: 81_920 },
    ])
  })

  it('keeps what a failing nvidia-smi prints to stdout', async () => {
    await install(
      'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
    )
    await expect(read()).rejects.toMatchObject({
      code: 'GPU_QUERY',
      message: expect.stringContaining(
        "it failed (9): NVIDIA-SMI has failed because it couldn't communicate",
      ),
      next: expect.stringContaining('NVIDIA driver'),
    })
  })

  it('says that nvidia-smi is not there', async () => {
    await expect(read()).rejects.toMatchObject({
      message: expect.stringContaining('not in a folder of PATH'),
    })
  })
})

describe('parseGpus', () => {
  it.each(['', '[N/A], [N/A]', 'No devices were found'])('rejects the output %j', (output) => {
    expect(() => parseGpus(output)).toThrow(expect.objectContaining({ code: 'GPU_QUERY' }))
  })
})
