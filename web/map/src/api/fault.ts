// What can go wrong between the client and the server, in the few kinds that are treated differently.

/** An error the server answered. */
export interface GraphQLFault {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly field?: string; readonly resumeAfter?: string };
}

/** The server answered that it would not. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;
  readonly field: string | undefined;
  readonly resumeAfter: string | undefined;

  constructor(faults: readonly GraphQLFault[]) {
    const first = faults[0];
    super(first?.message ?? 'refused');
    this.code = first?.extensions?.code ?? 'INTERNAL';
    this.field = first?.extensions?.field;
    this.resumeAfter = first?.extensions?.resumeAfter;
  }

  /** Whether the log no longer reaches back to the cursor: the map must be read again. */
  get cursorIsTooOld(): boolean {
    return this.code === 'BAD_INPUT' && this.field === 'after';
  }
}

/** The server was not reached, or broke off. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
