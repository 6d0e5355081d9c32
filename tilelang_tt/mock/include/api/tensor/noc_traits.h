// Tensors and their pages as endpoints of transfers.
#pragma once

#include "api/dataflow/noc.h"
#include "api/tensor/tensor_accessor.h"

template <typename Args>
struct noc_traits_t<TensorAccessor<Args>> {
  struct src_args_type {
    uint32_t page_id{};
    uint32_t offset_bytes = 0;
  };
  using dst_args_type = src_args_type;
  static uint64_t source_noc(const TensorAccessor<Args>& tensor, const Noc& noc,
                             const src_args_type& args, tt_mock::Site site) {
    return tensor.get_noc_addr(args.page_id, args.offset_bytes, noc.get_noc_id(), site);
  }
  static uint64_t destination_noc(const TensorAccessor<Args>& tensor, const Noc& noc,
                                  const dst_args_type& args, tt_mock::Site site) {
    return source_noc(tensor, noc, args, site);
  }
};

template <>
struct noc_traits_t<tensor_accessor::Page> {
  struct src_args_type {
    uint32_t offset_bytes = 0;
  };
  using dst_args_type = src_args_type;
  static uint64_t source_noc(const tensor_accessor::Page& page, const Noc&,
                             const src_args_type& args, tt_mock::Site) {
    return page.noc_addr() + args.offset_bytes;
  }
  static uint64_t destination_noc(const tensor_accessor::Page& page, const Noc& noc,
                                  const dst_args_type& args, tt_mock::Site site) {
    return source_noc(page, noc, args, site);
  }
};
