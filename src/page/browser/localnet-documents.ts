/** The fields of a localnet's document that its page shows; test/page/documents.test.ts compares them with the schema. */
export interface LocalMiner {
  readonly uid: number
  readonly name: string
  readonly hotkey: string
  readonly behaviour: string
  readonly models: readonly string[]
  readonly verified: number
  readonly failed: Readonly<Record<string, number>>
  readonly tokensPerSecond: number
  readonly score: number
  readonly evidence: string
  readonly accusation: string | null
  readonly weightU16: number
  readonly page: string | null
}

export interface LocalnetDocument {
  readonly chainUrl: string
  readonly block: number
  readonly epochBlocksLeft: number | null
  readonly epochs: number
  readonly validator: { readonly rounds: number; readonly hotkey: string; readonly page: string | null }
  readonly hub: { readonly url: string; readonly page: string } | null
  readonly miners: readonly LocalMiner[]
}
