import { mkdirSync, readlinkSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readState } from '../../src/autoupdate/index.js'
import { beginProbation, linkRelease } from '../../src/autoupdate/switch-release.js'
import { installAndConfirm } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

describe('R9 the switch', () => {
  const repository = new ReleaseRepository()
  beforeAll(() => repository.release('1.0.0'))

  it('is durable in update.json before the link moves', async () => {
    const context = repository.context()
    await installAndConfirm(context)
    mkdirSync(join(context.layout.root, 'current.tmp'))
    await expect(beginProbation(context.layout, '1.0.1')).rejects.toThrow()
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', from: '1.0.0', to: '1.0.1' })
    expect(readlinkSync(context.layout.current)).toBe('releases/1.0.0')
  })

  it('never leaves a moment without a current release', async () => {
    const context = repository.context()
    await installAndConfirm(context)
    let switching = true
    const switches = (async () => {
      for (let turn = 0; turn < 100; turn++) await linkRelease(context.layout, '1.0.0')
      switching = false
    })()
    let reads = 0
    while (switching) {
      await access(join(context.layout.current, 'COMPLETE'))
      reads++
    }
    await switches
    expect(reads).toBeGreaterThan(10)
  })
})
