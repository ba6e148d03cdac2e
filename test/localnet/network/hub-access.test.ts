import { expect, test } from 'vitest'
import { systemClock } from '../../../src/kernel/index.js'
import { createUserKey, readHubUrl } from '../../../src/localnet/network/hub-access.js'
import { startStreamServer } from '../../support/stream-server.js'

const signal = new AbortController().signal
const keyFrom = (script: string) =>
  createUserKey([], {
    self: { command: process.execPath, args: ['-e', script] },
    ...{ env: {}, cwd: '/', signal },
  })

test('reads the key that the command prints', async () => {
  expect(await keyFrom(`console.log(JSON.stringify({ id: 'key_1', secret: 'sk-targon-1' }))`)).toBe(
    'sk-targon-1',
  )
})

test.each([
  ['nothing', '', 'printed no key'],
  ['no key', 'console.log("{}")', 'printed no key'],
  ['an error', 'console.error("the database is damaged"); process.exit(2)', 'the database is damaged'],
])('a command that prints %s stops the localnet and says why', async (_, script, why) => {
  await expect(keyFrom(script)).rejects.toMatchObject({
    code: 'LOCALNET_HUB_KEY',
    message: expect.stringContaining(why),
  })
})

test('the status of a hub tells the address of its API', async () => {
  const server = await startStreamServer((response) =>
    response.end('{"role":"hub","url":"http://127.0.0.1:8080"}'),
  )
  try {
    expect(await readHubUrl(server.url, { clock: systemClock, signal })).toBe('http://127.0.0.1:8080')
  } finally {
    await server.close()
  }
})
