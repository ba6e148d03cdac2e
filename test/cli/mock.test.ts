import { describe, expect, it } from 'vitest'
import { serveMocked } from '../../src/cli/mock.js'

describe('serveMocked', () => {
  const options = { exitWithStdin: false }

  it('starts the network without our variables, serves, and stops it', async () => {
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

  it('stops the network when the role fails', async () => {
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

  it.each([
    ['the start is aborted', undefined],
    ['a process of the network ends first', new Error('The localnet process chain exited with status 0.')],
  ])('exits cleanly when stopped while the network starts and %s', async (_case, error) => {
    const stopped = serveMocked(
      'miner',
      (_, __, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(error ?? signal.reason))
          process.emit('SIGTERM')
        }),
      options,
      () => {},
      async () => 'never',
    )
    expect(await stopped).toBeUndefined()
  })
})
