import { spawnSync } from 'node:child_process'
import { chmod, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALICE, walletFolder } from './wallet-folder.js'

const folder = walletFolder()

describe('readSecretFile', () => {
  it('says how to create a missing hotkey', async () => {
    await expect(folder.load()).rejects.toMatchObject({
      code: 'WALLET_NOT_FOUND',
      next: expect.stringContaining('btcli wallet new-hotkey'),
    })
  })

  it.each([0o644, 0o640, 0o602, 0o666])('rejects mode %o, which is open to other users', async (mode) => {
    await folder.write(ALICE.seed, mode)
    await expect(folder.load()).rejects.toMatchObject({
      code: 'WALLET_PERMISSIONS',
      next: expect.stringContaining('chmod 600'),
    })
  })

  it('rejects a password file that is open to other users', async () => {
    await folder.write(`$NACL${'x'.repeat(80)}`)
    const passwordFile = join(folder.path, 'password')
    await writeFile(passwordFile, 'correct horse')
    await chmod(passwordFile, 0o644)
    await expect(folder.load({ passwordFile })).rejects.toMatchObject({ code: 'WALLET_PERMISSIONS' })
  })

  it('does not follow a symbolic link', async () => {
    await writeFile(join(folder.path, 'elsewhere'), ALICE.seed, { mode: 0o600 })
    await symlink(join(folder.path, 'elsewhere'), folder.keyFile)
    await expect(folder.load()).rejects.toMatchObject({ code: 'WALLET_UNREADABLE' })
  })

  it('never opens the coldkey: here opening it would block on a FIFO', async () => {
    const coldkey = join(folder.path, 'w', 'coldkey')
    expect(spawnSync('mkfifo', [coldkey]).status).toBe(0)
    await folder.write({ secretSeed: ALICE.seed })
    expect((await folder.load()).address).toBe(ALICE.address)
    await rm(folder.keyFile)
    await symlink(coldkey, folder.keyFile)
    await expect(folder.load()).rejects.toThrow(/symbolic link/)
  })

  it('rejects a file that is too large', async () => {
    await folder.write('x'.repeat(100_000))
    await expect(folder.load()).rejects.toMatchObject({ code: 'WALLET_UNREADABLE' })
  })
})
