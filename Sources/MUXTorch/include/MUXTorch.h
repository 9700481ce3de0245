// SPDX-License-Identifier: Apache-2.0
// Nothing: what this library has is declared by CTorch.
