import { z } from 'zod'

/** Sends the messages of one turn of the event loop together: each send between processes has a fixed cost. */
export interface Outbox<Message> {
  tell(message: Message): void
  /** Sends now what has been collected. */
  flush(): void
}

export function createOutbox<Message>(send: (messages: readonly Message[]) => void): Outbox<Message> {
  let messages: Message[] = []
  const flush = () => {
    if (messages.length === 0) return
    const batch = messages
    messages = []
    send(batch)
  }
  return {
    tell: (message) => {
      if (messages.length === 0) setImmediate(flush)
      messages.push(message)
    },
    flush,
  }
}

/** Far more than one turn of the event loop can collect. */
const MAX_BATCH = 1_000_000

/** Parses a batch. @returns undefined when it is invalid, for example because the other process runs another release. */
export function createBatchReader<Message>(
  message: z.ZodType<Message, unknown>,
): (value: unknown) => Message[] | undefined {
  const batch = z.array(message).max(MAX_BATCH)
  return (value) => {
    const parsed = batch.safeParse(value)
    return parsed.success ? parsed.data : undefined
  }
}
