import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, DeadlineError, withDeadline } from '../../../kernel/index.js'
import { UserStalled } from '../asking/index.js'

/** Characters of a portion after which others are served first. */
const LARGE = 16 << 10

/** Writes an answer to a user who may read slowly, or leave. */
export class UserStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly clock: Clock,
    /** How long the user may stop reading. */
    private readonly stallMs: number,
    /** Aborts when the user leaves. */
    private readonly signal: AbortSignal,
  ) {}

  begin(headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(200, headers)
  }

  /** Resolves when more may be written. @throws UserStalled when the user does not read; the reason of the signal */
  async write(bytes: string | Buffer): Promise<void> {
    this.signal.throwIfAborted()
    if (this.response.write(bytes)) return
    const drained = () => new Promise<void>((resolve) => this.response.once('drain', resolve))
    await withDeadline(this.clock, 'The user’s reading', this.stallMs, this.signal, drained).catch(
      (error: unknown) => {
        throw error instanceof DeadlineError
          ? new UserStalled('the user does not read', { cause: error })
          : error
      },
    )
  }

  /** Writes an answer that is ready, and serves others between its portions. @throws as `write` */
  async writeWhole(headers: Readonly<Record<string, string>>, portions: Iterable<string>): Promise<void> {
    this.begin(headers)
    try {
      for (const portion of portions) {
        await this.write(portion)
        if (portion.length > LARGE) await nextTurn()
      }
      this.end()
    } catch (error) {
      this.cut()
      throw error
    }
  }

  end(): void {
    this.response.end()
  }

  /** Breaks the connection, so that the user cannot take what came so far for the whole answer. */
  cut(): void {
    this.response.destroy()
  }
}

/** One server-sent event. */
export function eventOf(data: string): string {
  return data.includes('\n')
    ? `${data
        .split('\n')
        .map((line) => `data: ${line}\n`)
        .join('')}\n`
    : `data: ${data}\n\n`
}
