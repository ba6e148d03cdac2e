import { Args } from '@oclif/core'
import { BaseCommand, hubDatabaseFlags, hubPlaceOf, type Invocation } from '../../../cli/index.js'
import { systemClock } from '../../../kernel/index.js'

export default class HubKeysRevoke extends BaseCommand {
  static override summary = 'Revoke an API key of the hub'

  static override description =
    'Requests that begin afterwards are refused; those that run end as they would. A revoked key cannot be restored; its usage stays on record.'

  static override usage = 'hub keys revoke ID [FLAGS]'

  static override examples = ['<%= config.bin %> <%= command.id %> key_0123456789abcdef01']

  static override args = {
    id: Args.string({ description: 'Id of the key, as listed.', required: true, ignoreStdin: true }),
  }

  static override flags = hubDatabaseFlags()

  run(): Promise<unknown> {
    return this.runWith('hub', (invocation) => this.#revoke(invocation))
  }

  async #revoke({ settings, args }: Invocation<'hub'>): Promise<unknown> {
    const { keyDocument, revokeKey, unknownKey, useExistingAccounts } = await import(
      '../../../accounts/index.js'
    )
    const id = String(args.id)
    const key = await useExistingAccounts(hubPlaceOf(settings), (database) =>
      revokeKey(database, id, systemClock.now()),
    )
    if (!key) throw unknownKey(id)
    this.log(`Revoked ${key.id} of ${key.name}.`)
    return keyDocument(key)
  }
}
