/** Makes the server's own pool another size. */

import { useState } from "react";
import type { ListSlotsResponse } from "slotd/v1";
import { SlotdError } from "slotd/web";

import { FormDialog } from "../../components/form-dialog";
import { count, plural } from "../../components/format";
import { TextField } from "../../components/text-field";
import { asSlotdError } from "../../data/errors";
import { useData } from "../../data/hooks";
import { told } from "../../shell/toasts";
import { ProblemList } from "../submit/problem-list";
import { type Problems, problemsOf } from "../submit/spec-form";
import { readInteger } from "../submit/values";

const FIELDS = ["slots"];
const NONE: Problems = new Map();

export function SlotsDialog({ slots, close }: { slots: ListSlotsResponse; close: () => void }) {
  const data = useData();
  const [text, setText] = useState(String(slots.limit));
  const [refusal, setRefusal] = useState<{ problems: Problems; error?: SlotdError }>({ problems: NONE });
  const own = slots.pools.find(({ worker }) => worker === "");
  const held = (own?.running ?? 0) + (own?.zombie ?? 0);
  const wanted = text.trim() === "" ? NaN : Number(text);
  const surplus = held - wanted;
  const resize = async (): Promise<boolean> => {
    try {
      const size = await data.client.queues.updateSlots({ slots: readSize(text) });
      told(`This server has ${plural(size.slots, "slot")} from now on`);
      data.slots.refresh();
      return true;
    } catch (failure) {
      if (failure instanceof SlotdError) {
        setRefusal({ problems: problemsOf(failure, "", FIELDS), error: failure });
      } else {
        setRefusal({ problems: new Map([["slots", asSlotdError(failure).message.replace(/^Error: /, "")]]) });
      }
      return false;
    }
  };
  return (
    <FormDialog
      title="Resize this server's pool"
      verb={surplus > 0 ? "Shrink below what runs" : "Resize"}
      danger={surplus > 0}
      close={close}
      submit={resize}
    >
      <TextField
        label="Slots"
        type="number"
        hint="0 to 10,000; 0 starts nothing. Workers have slots of their own, and other servers, too."
        value={text}
        change={setText}
        problem={refusal.problems.get("slots")}
      />
      <p role="status">
        {surplus > 0 &&
          `${count(held)} of its slots are held now. Nothing is stopped: ${plural(surplus, "job")} more than there is room for will end first, and nothing new starts here until then.`}
      </p>
      <ProblemList problems={refusal.problems} names={FIELDS} error={refusal.error} />
    </FormDialog>
  );
}

function readSize(text: string): number {
  if (text.trim() === "") {
    throw new Error("is needed");
  }
  return readInteger(text);
}
