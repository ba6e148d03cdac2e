import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  confirmRelease,
  currentRelease,
  findOffer,
  openUpdate,
  pinnedSigners,
  readState,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import { beginProbation, linkRelease } from '../../src/autoupdate/switch-release.js'
import { systemClock } from '../../src/kernel/clock.js'
import { installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

// The attacks on an updater that the TUF specification lists; those on names and contents are in rules.test.ts.
async function install(context: UpdateContext): Promise<string> {
  const outcome = await installRelease(context)
  const version = await currentRelease(context.layout)
  if (outcome !== 'applied' || version === undefined) return outcome
  await confirmRelease(context.layout, version)
  return version
}

function pinnedLine(key: string): string {
  return `maintainer@example.org namespaces="git" ${readFileSync(`${key}.pub`, 'utf8')}`
}

/** Writes the pinned signers that the next release carries. */
function carrySigners(repository: ReleaseRepository, key: string): void {
  mkdirSync(join(repository.work, 'deploy'), { recursive: true })
  repository.write('deploy/allowed_signers', pinnedLine(key))
}

/** The machine of somebody who names no signers: those of the current release count, at first those of the checkout. */
function unnamed(context: UpdateContext): UpdateContext {
  return { ...context, signersFile: undefined }
}

describe('R6 endless data', () => {
  const large = new ReleaseRepository()
  const small = new ReleaseRepository()
  beforeAll(async () => {
    await small.release('1.0.0')
    writeFileSync(join(large.work, 'pad'), randomBytes(4 << 20))
    await large.release('1.0.0')
  })

  it('cuts off a source that sends more than the limit, and keeps nothing of it', async () => {
    const context = large.context({ maxFetchBytes: 1 << 20 })
    for (const _ of ['first', 'again'])
      await expect(install(context)).rejects.toMatchObject({ code: 'UPDATE_TOO_LARGE', fault: 'update' })
    expect(existsSync(context.layout.repository)).toBe(false)
    expect(existsSync(context.layout.releases)).toBe(false)
  })

  it('takes a release below the limit', async () => {
    expect(await install(small.context({ maxFetchBytes: 1 << 20 }))).toBe('1.0.0')
  })
})

describe('R6 slow retrieval', () => {
  it('cuts off a source that never comes to an end, with the programs git started for it', async () => {
    const sockets = new Set<Socket>()
    const server = createServer(() => {}).on('connection', (socket) => sockets.add(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const repository = new ReleaseRepository()
    const context = repository.context({ url: `http://127.0.0.1:${port}/releases.git`, gitTimeoutMs: 4000 })
    await expect(install(context)).rejects.toMatchObject({
      code: 'UPDATE_COMMAND_FAILED',
      message: 'git ls-remote failed: it took longer than 4000 ms.',
    })
    expect(sockets.size).toBe(1)
    // the helper that held the connection has gone as well
    await Promise.all([...sockets].map((socket) => socket.closed || once(socket, 'close')))
    server.close()
  })
})

describe('R4 fast-forward', () => {
  it('refuses a version far ahead of a stranger, and does not remember it as the highest', async () => {
    const repository = new ReleaseRepository()
    await repository.release('99.0.0', 'good', repository.strangerKey)
    const context = repository.context()
    expect(await install(context)).toBe('signature')
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', highest: '0.0.0', bad: [] })
    repository.git('push', '--quiet', 'origin', ':refs/tags/v99.0.0')
    await repository.release('99.0.1')
    expect(await install(context)).toBe('99.0.1')
  })
})

describe('R4 freeze', () => {
  it('warns when the source offers nothing newer than an expired release', async () => {
    const repository = new ReleaseRepository()
    await repository.release('1.0.0')
    const context = repository.context()
    await install(context)
    expect(await findOffer(context)).toMatchObject({ kind: 'none', warnings: [] })
    const clock = { ...systemClock, now: () => Date.now() + 90 * 86_400_000 }
    const offer = await findOffer({ ...context, clock })
    expect(offer.kind === 'none' && offer.warnings.join()).toMatch(/expired .* may be frozen/)
  })
})

describe('R1 key compromise', () => {
  it('refuses a key that the running release no longer pins, however far ahead its version', async () => {
    const repository = new ReleaseRepository()
    const newKey = repository.makeKey('successor')
    carrySigners(repository, newKey)
    await repository.release('1.0.0')
    const context = unnamed(repository.context())
    expect(await install(context)).toBe('1.0.0')
    await repository.release('50.0.0')
    expect(await install(context)).toBe('signature')
    repository.git('push', '--quiet', 'origin', ':refs/tags/v50.0.0')
    await repository.release('50.0.1', 'good', newKey)
    expect(await install(context)).toBe('50.0.1')
  })

  it('refuses a release that brings the pin of its own signer', async () => {
    const repository = new ReleaseRepository()
    carrySigners(repository, repository.strangerKey)
    await repository.release('1.0.0', 'good', repository.strangerKey)
    expect(await install(unnamed(repository.context()))).toBe('signature')
  })

  it('asks the tree that runs for the signers while no release is installed', async () => {
    const settings = { 'update.url': 'x', 'update.signers': undefined, 'update.channel': 'stable' as const }
    const signal = new AbortController().signal
    const surroundings = { node: { version: '20.19.0', path: 'node' }, env: {}, clock: systemClock, signal }
    const context = openUpdate(
      { ...settings, 'update.root': '/nowhere' },
      { ...surroundings, onProgress: () => {} },
    )
    expect(context.ownSignersFile).toBe(new URL('../../deploy/allowed_signers', import.meta.url).pathname)
    await expect(pinnedSigners(context)).rejects.toMatchObject({ code: 'UPDATE_NO_SIGNERS', fault: 'update' })
  })
})

describe('R9 the switch', () => {
  const repository = new ReleaseRepository()
  beforeAll(() => repository.release('1.0.0'))

  it('is durable in update.json before the link moves', async () => {
    const context = repository.context()
    await install(context)
    mkdirSync(join(context.layout.root, 'current.tmp'))
    await expect(beginProbation(context.layout, '1.0.1')).rejects.toThrow()
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', from: '1.0.0', to: '1.0.1' })
    expect(readlinkSync(context.layout.current)).toBe('releases/1.0.0')
  })

  it('never shows a moment without a current release', async () => {
    const context = repository.context()
    await install(context)
    let switching = true
    const switches = (async () => {
      for (let turn = 0; turn < 100; turn++) await linkRelease(context.layout, '1.0.0')
      switching = false
    })()
    let looks = 0
    while (switching) {
      await access(join(context.layout.current, 'COMPLETE'))
      looks++
    }
    await switches
    expect(looks).toBeGreaterThan(10)
  })
})
