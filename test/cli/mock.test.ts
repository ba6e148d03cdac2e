import { describe, expect, it } from 'vitest'
import { serveMocked } from '../../src/cli/mock.js'

describe('serveMocked', () => {
  const options = { exitWithStdin: false }

  it('gives the network no variable of ours, serves, and takes the network down', async () => {
    const seen: string[] = []
    const result = await serveMocked(
      'miner',
      async (role, { self, env }) => {
        seen.push(role)
        expect(self.command).toBe(process.execPath)
        expect(Object.keys(env).filter((name) => /^(TARGON|BT)_/.test(name))).toEqual([])
        return {
          arguments: ['--netuid', '4'],
          death: new Promise(() => {}),
          stop: async () => void seen.push('stop'),
        }
      },
      options,
      () => {},
      async (network) => {
        seen.push('serve')
        return network.arguments
      },
    )
    expect(result).toEqual(['--netuid', '4'])
    expect(seen).toEqual(['miner', 'serve', 'stop'])
  })

  it('takes the network down when the role fails', async () => {
    let stopped = false
    const failing = serveMocked(
      'validator',
      async () => ({
        arguments: [],
        death: new Promise<never>(() => {}),
        stop: async () => {
          stopped = true
        },
      }),
      options,
      () => {},
      () => Promise.reject(new Error('no permit')),
    )
    await expect(failing).rejects.toThrow('no permit')
    expect(stopped).toBe(true)
  })

  it('ends cleanly when it is stopped while the network comes up', async () => {
    const stopped = serveMocked(
      'miner',
      (_, __, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          process.emit('SIGTERM')
        }),
      options,
      () => {},
      async () => 'never',
    )
    expect(await stopped).toBeUndefined()
  })
})
