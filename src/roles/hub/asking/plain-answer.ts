import { type Exchange, exchange } from './exchange.js'

/** Some bytes of an answer that is passed on as it is. */
export interface PlainPiece {
  readonly bytes: Buffer
  readonly contentType: string
}

/** The bytes of an unverified answer. @throws MinerFailure; the reason of the signal */
export async function* readPlain(
  request: Omit<Exchange, 'isStream' | 'progressed' | 'onHead'>,
): AsyncGenerator<PlainPiece, void> {
  let contentType = ''
  const onHead = (type: string) => {
    contentType = type
  }
  const options = { ...request, isStream: false, progressed: () => true, onHead }
  for await (const bytes of exchange(options)) yield { bytes, contentType }
}
