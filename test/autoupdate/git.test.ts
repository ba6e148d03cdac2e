import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { findOffer } from '../../src/autoupdate/index.js'
import { installAndConfirm, installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

// R6, with the attacks "endless data" and "slow retrieval" of the TUF specification.
const small = new ReleaseRepository()
beforeAll(() => small.release('1.0.0'))

describe('an unreachable source', () => {
  it('fails with the git command and its error line, and changes nothing', async () => {
    const context = small.context({ url: '/nowhere.git' })
    await expect(findOffer(context)).rejects.toMatchObject({
      code: 'UPDATE_COMMAND_FAILED',
      fault: 'update',
      message: "git ls-remote failed: fatal: '/nowhere.git' does not appear to be a git repository.",
    })
    expect(existsSync(context.layout.state)).toBe(false)
  })
})

describe('a source that sends too much', () => {
  const large = new ReleaseRepository()
  beforeAll(async () => {
    writeFileSync(join(large.work, 'pad'), randomBytes(4 << 20))
    await large.release('1.0.0')
  })

  it('is cut off at the limit, and nothing of the download stays on disk', async () => {
    const context = large.context({ maxFetchBytes: 1 << 20 })
    for (const _ of ['first', 'again'])
      await expect(installRelease(context)).rejects.toMatchObject({
        code: 'UPDATE_TOO_LARGE',
        fault: 'update',
      })
    expect(existsSync(context.layout.repository)).toBe(false)
    expect(existsSync(context.layout.releases)).toBe(false)
  })

  it('does not affect a release below the limit', async () => {
    expect(await installAndConfirm(small.context({ maxFetchBytes: 1 << 20 }))).toBe('1.0.0')
  })
})

describe('a source that never finishes', () => {
  it('is cut off at the timeout together with the helper programs of git', async () => {
    const sockets = new Set<Socket>()
    const server = createServer(() => {}).on('connection', (socket) => sockets.add(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const context = small.context({ url: `http://127.0.0.1:${port}/releases.git`, gitTimeoutMs: 4000 })
    await expect(findOffer(context)).rejects.toMatchObject({
      code: 'UPDATE_COMMAND_FAILED',
      message: 'git ls-remote failed: it took longer than 4000 ms.',
    })
    expect(sockets.size).toBe(1)
    // the helper that held the connection was killed as well
    await Promise.all([...sockets].map((socket) => socket.closed || once(socket, 'close')))
    server.close()
  })
})

it('runs no hook of the mirror', async () => {
  const context = small.context()
  const marker = join(context.layout.root, 'hook-ran')
  execFileSync('git', ['init', '--quiet', '--bare', context.layout.repository])
  mkdirSync(join(context.layout.repository, 'hooks'), { recursive: true })
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(context.layout.repository, 'hooks', hook), `#!/bin/sh\ntouch ${marker}\n`, {
      mode: 0o755,
    })
  }
  expect(await installRelease(context)).toBe('applied')
  expect(existsSync(marker)).toBe(false)
})
