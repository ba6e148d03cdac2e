import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Behaviour } from '../behaviour/index.js'
import { encodeStrangeJson } from './json.js'

/** Writes server-sent events, slowed by a reader that does not keep up, and spoilt where the behaviour says so. */
export class EventWriter {
  readonly #response: ServerResponse
  readonly #behaviour: Behaviour
  readonly #signal: AbortSignal
  /** Of a burst, which leaves in one piece: a busy machine must not stretch it into a stream. */
  readonly #held: Uint8Array[] = []
  #sent = 0

  constructor(response: ServerResponse, behaviour: Behaviour, signal: AbortSignal) {
    this.#response = response
    this.#behaviour = behaviour
    this.#signal = signal
  }

  async send(body: object): Promise<void> {
    const encode = this.#behaviour.sendsStrangeNumbers ? encodeStrangeJson : JSON.stringify
    const event = `data: ${encode(body)}\n\n`
    await this.#write(this.#behaviour.changeEvent?.(event, this.#sent) ?? event)
    this.#sent += 1
    const { trick } = this.#behaviour
    if (!trick || trick.afterEvents !== this.#sent) return
    if (trick.isReset) {
      this.#response.socket?.resetAndDestroy()
      throw new Error('The connection was reset on purpose.')
    }
    for (const chunk of trick.chunks?.() ?? []) await this.#write(chunk)
  }

  async finish(): Promise<void> {
    await this.#write('data: [DONE]\n\n')
    this.#response.end(Buffer.concat(this.#held))
  }

  async #write(bytes: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    if (this.#behaviour.delivery === 'burst') this.#held.push(Buffer.from(bytes))
    else if (!this.#response.write(bytes)) await once(this.#response, 'drain', { signal: this.#signal })
  }
}
