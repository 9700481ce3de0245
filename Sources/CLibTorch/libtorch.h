// SPDX-License-Identifier: Apache-2.0
// Only a search path for CTorch: libtorch has no C header that Swift could import.
