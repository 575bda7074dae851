import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist/", "out/", "src/gen/"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["src/tsconfig.json", "test/tsconfig.json", "conformance/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A number in a text is plain enough.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Node's test runner waits for its tests itself, but for nothing within them.
      "@typescript-eslint/no-floating-promises": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "ExpressionStatement > CallExpression[callee.property.name='rejects']", message: "Await it." },
      ],
    },
  },
);
