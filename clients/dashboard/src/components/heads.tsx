/** The heads of a table's columns. */

export interface Head {
  title: string;
  /** Its cells are numbers, which stand under each other by their last digit. */
  number?: boolean;
  /** More of what it is, for who points at it. */
  hint?: string;
  className?: string;
}

/** A plain one is its title alone. */
export function Heads({ of }: { of: readonly (string | Head)[] }) {
  return (
    <thead>
      <tr>
        {of.map((head) => {
          const { title, number = false, hint, className }: Head = typeof head === "string" ? { title: head } : head;
          return (
            <th key={title} scope="col" title={hint} className={number ? "number" : className}>
              {title}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** The head of a column of numbers. */
export function numbers(title: string): Head {
  return { title, number: true };
}
