import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Behaviour } from '../behaviour/index.js'
import { encodeJson } from './json.js'

/** Writes server-sent events with backpressure, altered as the behaviour requires. */
export class EventWriter {
  readonly #response: ServerResponse
  readonly #behaviour: Behaviour
  readonly #signal: AbortSignal
  /** Bytes of a burst, sent in one piece so that a busy machine cannot stretch it into a stream. */
  readonly #burst: Uint8Array[] = []
  #sent = 0

  constructor(response: ServerResponse, behaviour: Behaviour, signal: AbortSignal) {
    this.#response = response
    this.#behaviour = behaviour
    this.#signal = signal
  }

  async send(body: object): Promise<void> {
    const event = `data: ${encodeJson(body, this.#behaviour)}\n\n`
    await this.#write(this.#behaviour.changeEvent?.(event, this.#sent) ?? event)
    this.#sent += 1
    const { trick } = this.#behaviour
    if (!trick || trick.afterEvents !== this.#sent) return
    if (trick.isReset) {
      this.#response.socket?.resetAndDestroy()
      throw new Error('the behaviour reset the connection')
    }
    for (const chunk of trick.chunks?.() ?? []) await this.#write(chunk)
  }

  async finish(): Promise<void> {
    await this.#write('data: [DONE]\n\n')
    this.#response.end(Buffer.concat(this.#burst))
  }

  async #write(bytes: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    if (this.#behaviour.delivery === 'burst') this.#burst.push(Buffer.from(bytes))
    else if (!this.#response.write(bytes)) await once(this.#response, 'drain', { signal: this.#signal })
  }
}
