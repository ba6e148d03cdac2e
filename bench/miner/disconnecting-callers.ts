import { request } from 'undici'
import { signRequest } from '../../src/epistula/index.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'

/** Opens slow streams and disconnects each after its first bytes. */
export async function leaveMidStream(port: number, count: number): Promise<void> {
  const [miner, validator] = await Promise.all([hotkeyOf(1), hotkeyOf(2)])
  const body = JSON.stringify({ model: 'slow', stream: true })
  await Promise.all(
    Array.from({ length: count }, async () => {
      const headers = signRequest({
        signer: validator,
        signedFor: miner.address,
        body: Buffer.from(body),
        nowMs: Date.now(),
      })
      const answer = await request(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body,
      })
      await new Promise((resolve) => answer.body.once('data', resolve))
      answer.body.on('error', () => {})
      answer.body.destroy()
    }),
  )
  await new Promise((resolve) => setTimeout(resolve, 250))
}
