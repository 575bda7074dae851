/** A window over the page; Esc and a press beside it close it, and the focus goes back to where it was. */

import { type ReactNode, useEffect, useId, useRef } from "react";

import { Icon } from "./icon";

interface Properties {
  title: string;
  close: () => void;
  children: ReactNode;
  /** The buttons at its foot. */
  actions?: ReactNode;
}

export function Dialog({ title, close, children, actions }: Properties) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={heading}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="dialog-body">
        <header>
          <h2 id={heading}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}
