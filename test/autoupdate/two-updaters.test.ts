import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { applyUpdate, currentRelease, findOffer, withUpdateLock } from '../../src/autoupdate/index.js'
import { compiledUrl } from '../support/compiled-program.js'
import { installRelease, launcherPath as launcher } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

const worker = new URL(compiledUrl(new URL('../support/update-worker.ts', import.meta.url))).pathname
const repository = new ReleaseRepository()
beforeAll(() => repository.release('1.0.0'))

describe('two updaters at once', () => {
  it('lets exactly one of five in a process work', async () => {
    const context = repository.context()
    const offer = await findOffer(context)
    if (offer.kind !== 'available') throw new Error('no offer')
    const runs = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        withUpdateLock(context, (locked) => applyUpdate(locked, offer.verified, launcher)),
      ),
    )
    expect(runs.filter((run) => run.status === 'fulfilled')).toHaveLength(1)
    const codes = runs.flatMap((run) =>
      run.status === 'rejected' ? [(run.reason as { code: string }).code] : [],
    )
    expect(new Set(codes)).toEqual(new Set(['UPDATE_RUNNING']))
  })

  it('lets exactly one of three processes work, and its slot is complete', async () => {
    const context = repository.context()
    const { layout, url, signersFile, runningVersion } = context
    const places = JSON.stringify({ root: layout.root, url, signersFile, runningVersion, launcher })
    const outputs = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, [worker, places], { stdio: 'pipe' })
        const output = { text: '' }
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => {
            output.text += chunk.toString()
          })
        await once(child, 'close')
        return output.text
      }),
    )
    expect(outputs.filter((text) => /^applied$/m.test(text))).toHaveLength(1)
    for (const text of outputs) expect(text).toMatch(/^applied$|^none$|UPDATE_RUNNING/m)
    expect(await currentRelease(layout)).toBe('1.0.0')
    expect(readdirSync(layout.releases)).toEqual(['1.0.0'])
  })

  it('refuses a second release while one is on probation', async () => {
    const busy = new ReleaseRepository(repository.folder)
    const context = busy.context()
    await installRelease(context)
    await busy.release('1.0.1')
    await expect(installRelease(context)).rejects.toMatchObject({ code: 'UPDATE_ON_TRIAL' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('stops the updater that lost its lock, without crashing the process', async () => {
    const context = repository.context()
    const lock = join(context.layout.root, 'update.lock')
    const work = withUpdateLock(context, async ({ signal }) => {
      rmSync(lock, { recursive: true })
      await context.clock.sleep(30_000, signal)
    })
    await expect(work).rejects.toMatchObject({ cause: { code: 'UPDATE_LOCK_LOST' } })
    await withUpdateLock(context, async () => {})
  })
})
