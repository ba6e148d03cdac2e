/** Why an extrinsic was not accepted or not sent, classed by what to do about it. */
export interface ChainRefusal {
  readonly class:
    | 'too-fast'
    | 'version-key'
    | 'no-permit'
    | 'stake'
    | 'not-registered'
    | 'commit-reveal-mismatch'
    | 'commit-reveal-version'
    | 'bad-reveal-round'
    | 'commit-too-large'
    | 'commit-queue-full'
    | 'no-commit'
    | 'bad-vector'
    | 'bad-axon'
    /** The chain gives no reason. */
    | 'bad-request'
    | 'stale'
    /** Nothing was sent: the extrinsic could have landed in the next epoch. */
    | 'window-closing'
    /** Nothing was sent: the configured endpoints disagree. */
    | 'endpoints-differ'
    /** Nothing was sent: the endpoint shows an impossible change of the subnet. */
    | 'implausible'
    | 'other'
  /** Name of the dispatch error, or a pool error such as `pool 1010 custom 6`. */
  readonly name: string
  readonly detail: string
}

export type ServeAxonResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'served'; readonly blockHash: string }
  | { readonly kind: 'refused'; readonly refusal: ChainRefusal }
