import { Flags } from '@oclif/core'
import type { Offer, UpdateContext, UpdateOutcome } from '../autoupdate/index.js'
import { BaseCommand, EXIT_STATUS, flagsOf, ownSurroundings, runUntilStopped } from '../cli/index.js'
import type { UpdateSettings } from '../config/index.js'
import { escapeControls, packageVersion, systemClock, TargonError } from '../kernel/index.js'

type Actions = Readonly<Record<string, unknown>>

export default class Update extends BaseCommand {
  static override summary = 'Upgrade targon to a signed release, with automatic rollback'

  static override description =
    'Releases are signed git tags. A release is fetched, verified against the pinned signers, built in its own slot and ' +
    'tested. It starts on probation; the launcher rolls it back unless it becomes healthy.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --check',
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --to 4.5.1',
    '<%= config.bin %> <%= command.id %> --rollback',
  ]

  static override flags = {
    check: Flags.boolean({
      summary: 'Check for an update: exit status 0 if there is none, 10 if there is one.',
    }),
    to: Flags.string({ summary: 'Install this version instead of the latest.', helpValue: '<X.Y.Z>' }),
    'dry-run': Flags.boolean({ summary: 'Print the plan and exit.' }),
    rollback: Flags.boolean({
      summary:
        'Go back to the previous version confirmed on this machine, or to the checkout before the first release.',
      exclusive: ['check', 'dry-run'],
    }),
    yes: Flags.boolean({
      summary: 'With --update.source npm: run the install command instead of printing it.',
    }),
    'self-test': Flags.boolean({ summary: 'Load every module and print the version.', hidden: true }),
    ...flagsOf('update'),
  }

  run(): Promise<unknown> {
    return this.runWith('update', async ({ settings, actions }) => {
      if (actions['self-test'] === true) return await this.#selfTest()
      return await runUntilStopped({ exitWithStdin: false }, (signal) => this.#act(settings, actions, signal))
    })
  }

  async #act(settings: UpdateSettings, actions: Actions, signal: AbortSignal): Promise<unknown> {
    const { checkUpdate, openUpdate, rollBack, runUpdate } = await import('../autoupdate/index.js')
    const context = openUpdate(settings, {
      ...ownSurroundings(),
      clock: systemClock,
      signal,
      onProgress: (step) => this.logToStderr(step),
    })
    const to = typeof actions.to === 'string' ? actions.to.replace(/^v/, '') : undefined
    if (settings['update.source'] === 'npm') return await this.#useNpm(context, actions, to)
    if (actions.check === true) return this.#printOffer(await checkUpdate(context, to))
    if (actions.rollback === true) return this.#printOutcome(await rollBack(context, to))
    const dryRun = actions['dry-run'] === true
    return this.#printOutcome(await runUpdate(context, { dryRun, requested: to }))
  }

  #printOffer(offer: Offer): unknown {
    this.log(`installed  ${offer.installed}`)
    if (offer.kind === 'none') {
      this.log(`offered    ${offer.latest ?? 'nothing'}; nothing to do`)
      this.printWarnings(offer.warnings)
      return { ...offer, wouldApply: false }
    }
    if (offer.kind === 'refused') {
      const { rule, detail } = offer.refusal
      this.log(`offered    ${offer.version}\nrefused    ${rule}: ${escapeControls(detail)}`)
      return { ...offer, wouldApply: false }
    }
    const { version, signedBy, release } = offer.verified
    this.log(`offered    ${version}\nsigned by  ${signedBy}\nexpires    ${release.expires.slice(0, 10)}`)
    this.printWarnings(offer.warnings)
    this.log('Run targon update to install it.')
    process.exitCode = EXIT_STATUS.updateAvailable
    return {
      kind: offer.kind,
      installed: offer.installed,
      version,
      signedBy,
      release,
      warnings: offer.warnings,
      wouldApply: true,
    }
  }

  #printOutcome(outcome: UpdateOutcome): UpdateOutcome {
    if (outcome.kind === 'none') {
      const { installed, latest } = outcome
      if (installed === latest) this.log(`${installed} is up to date.`)
      else this.log(`${installed} is already installed (latest offered: ${latest ?? 'none'}).`)
      this.printWarnings(outcome.warnings)
      return outcome
    }
    if (outcome.kind === 'rolled-back-to-checkout') {
      const { from, checkout } = outcome
      this.log(
        `Switched from ${from} to the checkout ${checkout}; its deploy/launcher.mjs runs it from the next start.`,
      )
      return outcome
    }
    if (!('signedBy' in outcome)) {
      const how = outcome.kind === 'switched' ? ' on probation' : ''
      this.log(
        `Switched from ${outcome.from ?? 'no release'} to ${outcome.to}; it runs${how} from the next start.`,
      )
      return outcome
    }
    this.printWarnings(outcome.warnings)
    const change = `${outcome.from} → ${outcome.to}, signed by ${outcome.signedBy}`
    if (outcome.kind === 'planned') this.log(`Would update ${change}.`)
    else this.log(`Updated ${change}. It runs on probation from the next start of the launcher.`)
    return outcome
  }

  async #useNpm(context: UpdateContext, actions: Actions, to: string | undefined): Promise<unknown> {
    const { installCommand, installPublished, isNewer, newestPublished } = await import(
      '../autoupdate/index.js'
    )
    if (actions.rollback === true) throw noRollback()
    const installed = context.runningVersion
    const version = to ?? (await newestPublished(context))
    const command = installCommand(version).join(' ')
    const available = to === undefined ? isNewer(version, installed) : to !== installed
    if (actions.check === true || !available) {
      this.log(`installed  ${installed}\noffered    ${version}`)
      if (available) process.exitCode = EXIT_STATUS.updateAvailable
      return { installed, version, available }
    }
    const run = actions.yes === true && actions['dry-run'] !== true
    if (run) await installPublished(context, version)
    else this.log(command)
    return { installed, version, command, run }
  }

  /** Run by an updater in a new slot: a release that cannot load its own modules must not be installed. */
  async #selfTest(): Promise<{ version: string }> {
    await Promise.all([
      import('../chain/index.js'),
      import('../index.js'),
      import('../roles/miner/index.js'),
      import('../roles/validator/index.js'),
      import('../localnet/index.js'),
    ])
    const version = packageVersion()
    this.log(version)
    return { version }
  }
}

/** npm replaces the installed version. */
function noRollback(): TargonError {
  return new TargonError('There is no version to roll back to, because npm replaces the installed one.', {
    code: 'UPDATE_NO_ROLLBACK',
    fault: 'update',
    next: 'Install an older version: targon update --update.source npm --to X.Y.Z --yes.',
  })
}
